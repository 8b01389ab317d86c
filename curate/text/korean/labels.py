"""What stands beside a Korean number and says how it is read: what is numbered, not counted; codes; numbers dialled."""

# Counters only after these nouns; elsewhere the words are something else (3단 서랍, 3축 체계, 3자 회담, 3점 차).
_SERVED = {
    "단": "파 대파 쪽파 미나리 시금치 부추 열무 쑥갓 나물 배추 갓 아욱 근대 장작 깻잎 취나물 얼갈이 고사리",
    "점": "고기 회 살점 삼겹살 등심 초밥 한우 육회 그림 작품 유물 골동품 도자기 백자 청자 판화",
    "정": "총 소총 권총 엽총 기관총 장총",
    "질": "책 전집 백과사전",
    "제": "한약 보약 탕약 첩약",
    "축": "오징어 한치",
    "자": "삼베 비단 광목 무명 명주 모시 옷감 베",
    "포": "밀가루 쌀 시멘트 사료 비료 소금 설탕 퇴비",
}
SERVED = {counter: nouns.split() for counter, nouns in _SERVED.items()}
# Behind 번, things that carry a number rather than are counted.
_NUMBERED = (
    "출구 문제 버스 국도 선수 타자 후보 게이트 홀 채널 교향곡 승강장 창구 좌석 방 트랙 손님 고속도로 타석 학생 "
    "마을버스 시내버스 홈 플랫폼 레인 코스 도로 국번 자리 줄 칸 환자 확진자 참가자 트럭 갱도 활주로 우물 그림 "
    "사진 항목 척추 염색체 볼 당구대 말 주자 카드 내선 피아노협주곡 후보자 문항 노선 지방도 창고 사물함 부두 "
    "병상 침대 병실 갱 승차장 정류장 탑승구 정거장 회선 슬롯 핀 포트 채널 시드 참고인 증인 피고인 피해자 확진 "
    "접종자 소나타 협주곡 현악사중주 셀 시약 시험관 표본 시료 실험쥐 홀더 배번 카메라 마이크 트랙"
)
NUMBERED = _NUMBERED.split()
# Behind 대, things that are the so many greatest or of that generation rather than counted machines.
_RANKED = (
    "악성 불가사의 강 기업 도시 과제 원칙 재벌 그룹 명절 의무 요소 영양소 개혁 목표 핵심 종교 문명 성인 미항 투수 "
    "왕 대통령 총리 국왕 회장 교주 손 독자 째 명산 축제 뉴스 천왕 범죄 악 난제 산업 메이저 시장 국회 총선 전략 정책 "
    "강국 관광지 은행 분야 사업 수칙 리그 가수 명물 주주 과실 비급 미덕 후반 초반 중반 여성 남성"
)
RANKED = _RANKED.split()
# Before digits, things that are codes: read digit by digit.
_CODED = (
    "비밀번호 인증번호 우편번호 승인번호 카드번호 일련번호 코드 학번 사번 군번 핀번호 암호 끝자리 앞자리 뒷자리 "
    "비번 패스워드 송장번호 사업자번호 네자리 네_자리 4자리 4_자리 번호 국번_없이 국번없이 지역번호 내선번호 내선"
)
CODED = [cue.replace("_", " ") for cue in _CODED.split()]
# What 대 counts when the number is a round ten: 트럭 20대, but 20대 여성.
_MACHINES = (
    "자동차 차량 승용차 승합차 트럭 버스 택시 전기차 컴퓨터 노트북 카메라 비행기 전투기 헬기 헬리콥터 탱크 전차 자전거 "
    "오토바이 킥보드 냉장고 에어컨 세탁기 로봇 드론 기계 장비 구급차 소방차 텔레비전"
)
# What recipes measure by spoons, written T and t behind the number.
_SPOONED = (
    "설탕 소금 간장 국간장 진간장 양조간장 식초 고춧가루 고추장 된장 참기름 들기름 식용유 올리브유 맛술 미림 청주 물엿 "
    "올리고당 꿀 후추 후춧가루 다진_마늘 다진마늘 마늘 생강즙 전분 녹말 밀가루 부침가루 버터 우유 물 깨 통깨 참깨 액젓 "
    "까나리액젓 멸치액젓 굴소스 케첩 마요네즈 레몬즙 매실액 매실청 카레가루 베이킹파우더 이스트"
)
SPOONED = [name.replace("_", " ") for name in _SPOONED.split()]
_CLOVES = "마늘 생강 귤 밀감 오렌지 자몽 사과 배 호박"  # what 쪽 counts when it is no page
_NUMBERED_BEFORE = (  # what bears the number before 번
    "내선 번호 국도 노선 좌석 창구 게이트 탑승구 사물함 교향곡 출구 문제 고속도로 문항 보기 정답 채널 버튼 "
    "선택지 후보 기호 등번호 객관식 주관식 서술형 대기번호 순번 배번 지방도 염색체 레인 트랙 슬롯 포트 핀 회선 "
    "병상 척추 요추 경추 흉추 협주곡 소나타 카드 사진 그림 승강장 플랫폼 타석 홀 항목 시드 시료 표본 선택과목 "
    "과제"
)
# What bears the number, too, but is also done so many times: 버스 7번을 타다, 버스를 3번 타다.
_SOMETIMES_NUMBERED = "버스 마을버스 시내버스 광역버스 환자 확진자 학생 선수 참가자 증인 주자 타자 손님 고객"
MACHINES, CLOVES, NUMBERED_BEFORE = _MACHINES.split(), _CLOVES.split(), _NUMBERED_BEFORE.split()
SOMETIMES_NUMBERED = _SOMETIMES_NUMBERED.split()
# Numbers of three or four digits that are dialled: emergencies, advice, reports.
_DIALLED = (
    "109 110 111 112 113 114 116 117 118 119 120 122 123 125 126 127 128 129 131 132 133 134 141 182 188 1300 "
    "1301 1330 1331 1332 1333 1335 1336 1337 1338 1339 1345 1350 1355 1357 1363 1364 1365 1366 1369 1372 1377 "
    "1379 1382 1385 1388 1390 1391 1393 1397 1398 1399"
)
DIALLED = _DIALLED.split()
AREA_CODES = r"0(?:2|3[1-3]|4[1-4]|5[1-5]|6[0-4]|1[016789]|70|80|50\d|30)"  # of Korea, with the trunk zero
