"""Words, acronyms and brands in Latin letters that read as usage has it.

Sources: 외래어 표기 용례 and 표준국어대사전 for settled loanwords, the owners' own Korean names for brands.
Keys are in lower case where case does not matter.
"""

from curate.text.korean.technical import TECHNICAL, pairs

_LETTERS = "에이 비 씨 디 이 에프 지 에이치 아이 제이 케이 엘 엠 엔 오 피 큐 알 에스 티 유 브이 더블유 엑스 와이 제트"
LETTERS = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", _LETTERS.split(), strict=True))


_ACRONYMS = """
aids 에이즈 apec 에이펙 asean 아세안 covid 코비드 fifa 피파 uefa 유에파 kaist 카이스트 unist 유니스트 gist 지스트
dgist 디지스트 postech 포스텍 koica 코이카 kospi 코스피 kosdaq 코스닥 nasdaq 나스닥 kotra 코트라 mers 메르스
nasa 나사 nato 나토 fax 팩스 opec 오펙 posco 포스코 sars 사스 thaad 사드 toefl 토플 toeic 토익 teps 텝스 unesco 유네스코
unicef 유니세프 oecd 오이씨디 iaea 아이에이이에이 mbti 엠비티아이 ufo 유에프오 ok 오케이 faq 에프에이큐 pin 핀
sim 심 usim 유심 esim 이심 lan 랜 ram 램 rom 롬 gif 지아이에프 jpeg 제이펙 mpeg 엠펙 ebitda 에비타 nafta 나프타
quad 쿼드 aukus 오커스 brics 브릭스 gatt 가트 salt 솔트 start 스타트 unhcr 유엔에이치씨알 unctad 운크타드 wipo 위포
laser 레이저 radar 레이더 sonar 소나 modem 모뎀 basic 베이식 ai 에이아이 iot 아이오티 id 아이디 uhd 유에이치디
oled 올레드 led 엘이디 it 아이티 us 유에스 ncs 엔씨에스 hybe 하이브 yolo 욜로 lol 롤 gpt 지피티 api 에이피아이
url 유알엘 ceo 씨이오 app 앱 apps 앱스 euro 유로 nimby 님비 pimfy 핌피 iso 아이에스오 isbn 아이에스비엔 eu 이유
uae 유에이이 usa 유에스에이 uk 유케이 un 유엔 who 더블유에이치오 esg 이에스지 etf 이티에프 atm 에이티엠
cctv 씨씨티브이 hsk 에이치에스케이 jtbc 제이티비씨 ebs 이비에스 ocn 오씨엔 dna 디엔에이
"""
_BRANDS = """
google 구글 ikea 이케아 iphone 아이폰 ipad 아이패드 ipod 아이팟 imac 아이맥 ios 아이오에스 macos 맥오에스
kakao 카카오 kakaotalk 카카오톡 naver 네이버 daum 다음 samsung 삼성 hyundai 현대 kia 기아 lotte 롯데 hanwha 한화
doosan 두산 coupang 쿠팡 toss 토스 youtube 유튜브 youtuber 유튜버 netflix 넷플릭스 nvidia 엔비디아 intel 인텔
apple 애플 android 안드로이드 windows 윈도 gmail 지메일 hotmail 핫메일 yahoo 야후 twitter 트위터 facebook 페이스북
instagram 인스타그램 tiktok 틱톡 whatsapp 왓츠앱 linkedin 링크트인 github 깃허브 chatgpt 챗지피티
openai 오픈에이아이 tesla 테슬라 toyota 도요타 honda 혼다 nissan 닛산 bmw 비엠더블유 benz 벤츠 audi 아우디
volkswagen 폭스바겐 porsche 포르쉐 ferrari 페라리 volvo 볼보 ford 포드 adidas 아디다스 nike 나이키 puma 푸마
gucci 구찌 chanel 샤넬 prada 프라다 hermes 에르메스 zara 자라 uniqlo 유니클로 starbucks 스타벅스 mcdonald's 맥도날드
mcdonalds 맥도날드 mcdonald 맥도널드 burgerking 버거킹 kfc 케이에프씨 coca 코카 cola 콜라 pepsi 펩시 amazon 아마존
alibaba 알리바바 huawei 화웨이 xiaomi 샤오미 sony 소니 nintendo 닌텐도 playstation 플레이스테이션 xbox 엑스박스
ebay 이베이 paypal 페이팔 airbnb 에어비앤비 uber 우버 spotify 스포티파이 disney 디즈니 marvel 마블 boeing 보잉
airbus 에어버스 pfizer 화이자 moderna 모더나 astrazeneca 아스트라제네카 galaxy 갤럭시 python 파이썬 java 자바
linux 리눅스 ubuntu 우분투 photoshop 포토샵 excel 엑셀 powerpoint 파워포인트 wikipedia 위키백과 wiki 위키
blackpink 블랙핑크 twice 트와이스 newjeans 뉴진스 seventeen 세븐틴 exo 엑소 bigbang 빅뱅 mcu 엠씨유 visa 비자
mastercard 마스터카드 windows 윈도 zoom 줌 slack 슬랙 skype 스카이프 bluetooth 블루투스 wifi 와이파이 tving 티빙
wavve 웨이브 melon 멜론
"""
_LOANWORDS = """
accessory 액세서리 adapter 어댑터 alcohol 알코올 allergy 알레르기 aluminum 알루미늄 amateur 아마추어
america 아메리카 animation 애니메이션 apartment 아파트먼트 aroma 아로마 asia 아시아 avatar 아바타 avocado 아보카도
bag 백 ballet 발레 banana 바나나 bat 배트 bit 비트 bitcoin 비트코인 boom 붐 boycott 보이콧 buffet 뷔페
bulldozer 불도저 cafe 카페 café 카페 calorie 칼로리 camera 카메라 campus 캠퍼스 canada 캐나다 cancel 캔슬
caramel 캐러멜 caricature 캐리커처 cassette 카세트 catalog 카탈로그 center 센터 centre 센터 chandelier 샹들리에
chart 차트 check 체크 chicken 치킨 china 차이나 chocolate 초콜릿 cholesterol 콜레스테롤 christmas 크리스마스
cinema 시네마 circus 서커스 coat 코트 cocktail 칵테일 coffee 커피 collagen 콜라겐 color 컬러 colour 컬러
comedy 코미디 complex 콤플렉스 computer 컴퓨터 concert 콘서트 condition 컨디션 conference 콘퍼런스 contact 콘택트
content 콘텐트 contents 콘텐츠 contest 콘테스트 contrast 콘트라스트 control 컨트롤 cookie 쿠키 copy 카피
cosmos 코스모스 course 코스 credit 크레디트 cuba 쿠바 curry 카레 curtain 커튼 cut 컷 cyber 사이버 dash 대시
data 데이터 date 데이트 debut 데뷔 department 디파트먼트 dessert 디저트 diet 다이어트 diesel 디젤 dilemma 딜레마
directory 디렉터리 disco 디스코 doctor 닥터 dollar 달러 dot 도트 drama 드라마 dynamite 다이너마이트 economy 이코노미
elevator 엘리베이터 email 이메일 encore 앙코르 energy 에너지 essay 에세이 eureka 유레카 europe 유럽 event 이벤트
family 패밀리 fan 팬 fantasy 판타지 film 필름 finale 피날레 fork 포크 forum 포럼 france 프랑스 front 프런트 gas 가스
gate 게이트 gauze 거즈 genre 장르 germany 저머니 glass 글라스 gorilla 고릴라 graph 그래프 guide 가이드 guitar 기타
gum 껌 ham 햄 handicap 핸디캡 harmonica 하모니카 harmony 하모니 healing 힐링 hello 헬로 hero 히어로
highlight 하이라이트 hit 히트 homepage 홈페이지 hormone 호르몬 ice 아이스 ideology 이데올로기 idea 아이디어
idol 아이돌 image 이미지 india 인디아 influenza 인플루엔자 internet 인터넷 interview 인터뷰 iran 이란 iraq 이라크
italy 이탈리아 jacket 재킷 japan 재팬 juice 주스 jungle 정글 ketchup 케첩 kiosk 키오스크 kit 키트 knit 니트
knock 노크 korea 코리아 korean 코리안 label 라벨 lemon 레몬 leisure 레저 license 라이선스 liter 리터 logo 로고
login 로그인 logout 로그아웃 machine 머신 mafia 마피아 magazine 매거진 manual 매뉴얼 marathon 마라톤 mask 마스크
massage 마사지 master 마스터 mechanism 메커니즘 medal 메달 media 미디어 melody 멜로디 memory 메모리 message 메시지
metal 메탈 meter 미터 mexico 멕시코 microphone 마이크로폰 mineral 미네랄 minute 미닛 mobile 모바일 model 모델
monday 먼데이 morphine 모르핀 mosaic 모자이크 motif 모티프 motor 모터 museum 뮤지엄 mysterious 미스터리어스
narration 내레이션 net 네트 news 뉴스 noodle 누들 nut 너트 nuance 뉘앙스 olympic 올림픽
olympics 올림픽스 onion 어니언 opera 오페라 orange 오렌지 orchestra 오케스트라 organic 오가닉 pajama 파자마
panda 판다 panorama 파노라마 paradise 파라다이스 paris 파리 parody 패러디 pasta 파스타 pattern 패턴 penguin 펭귄
percent 퍼센트 piano 피아노 pizza 피자 plastic 플라스틱 platform 플랫폼 plaza 플라자 pop 팝 porter 포터
potato 포테이토 premium 프리미엄 president 프레지던트 pro 프로 program 프로그램 project 프로젝트 radio 라디오
ranking 랭킹 recipe 레시피 recreation 레크리에이션 rehearsal 리허설 remote 리모트 rent 렌트 report 리포트
restaurant 레스토랑 review 리뷰 rhythm 리듬 robot 로봇 rocket 로켓 romance 로맨스 royalty 로열티 running 러닝
russia 러시아 salad 샐러드 salon 살롱 sandal 샌들 saxophone 색소폰 scenario 시나리오 science 사이언스 screen 스크린
seoul 서울 busan 부산 incheon 인천 jeju 제주 daegu 대구 gangnam 강남 hangul 한글 kimchi 김치 bibimbap 비빔밥
bulgogi 불고기 taekwondo 태권도 hanbok 한복 soju 소주 makgeolli 막걸리 ramyeon 라면 tteokbokki 떡볶이 series 시리즈
service 서비스 set 세트 shirt 셔츠 shock 쇼크 shot 샷 shop 숍 show 쇼 sign 사인 signal 시그널 snack 스낵 sofa 소파
soup 수프 spaghetti 스파게티 spain 스페인 sponge 스펀지 sponsor 스폰서 staff 스태프 stadium 스타디움
standard 스탠더드 steak 스테이크 stress 스트레스 studio 스튜디오 style 스타일 super 슈퍼 supermarket 슈퍼마켓
sweater 스웨터 symbol 심벌 symposium 심포지엄 system 시스템 talent 탤런트 target 타깃 tax 택스 taxi 택시
technique 테크닉 telepathy 텔레파시 television 텔레비전 tomato 토마토 tire 타이어 towel 타월 trauma 트라우마
trot 트로트 trumpet 트럼펫 turkey 튀르키예 uniform 유니폼 university 유니버시티 upload 업로드 vaccine 백신
vaseline 바셀린 vegan 비건 venture 벤처 video 비디오 vietnam 베트남 villa 빌라 vinyl 비닐 violin 바이올린
virus 바이러스 vitamin 비타민 volunteer 볼런티어 volume 볼륨 web 웹 whisky 위스키 whiskey 위스키 window 윈도
address 어드레스 basket 바스켓 blanket 블랭킷 bucket 버킷 celebrity 셀러브리티 challenge 챌린지 chance 찬스
character 캐릭터 diamond 다이아몬드 edition 에디션 finance 파이낸스 group 그룹 kitchen 키친
organization 오거나이제이션 profile 프로필 record 레코드 theater 시어터 theatre 시어터 travel 트래블
wireless 와이어리스 brexit 브렉시트 influencer 인플루언서 crypto 크립토 drone 드론 airpods 에어팟 macbook 맥북
lipstick 립스틱 homepage 홈페이지 smartwatch 스마트워치 youtuber 유튜버 webinar 웨비나 deepfake 딥페이크
onboarding 온보딩 brunch 브런치 yoga 요가
sunglasses 선글라스 yogurt 요구르트 zero 제로 test 테스트 ticket 티켓 ticketing 티케팅
chatbot 챗봇 metaverse 메타버스 blockchain 블록체인 startup 스타트업 fintech 핀테크 webtoon 웹툰 eco 에코
unicorn 유니콘 vlog 브이로그 blog 블로그 selfie 셀피 hashtag 해시태그 emoji 이모지 podcast 팟캐스트 offline 오프라인
online 온라인 update 업데이트 upgrade 업그레이드 setup 셋업 backup 백업 makeup 메이크업 wonderful 원더풀
weekend 위켄드 network 네트워크 website 웹사이트 first 퍼스트 plus 플러스 max 맥스 mini 미니 ultra 울트라 note 노트
edge 에지 lite 라이트 air 에어 prime 프라임 live 라이브 read 리드 club 클럽 apologize 어폴로자이즈 pride 프라이드
golf 골프 hockey 하키 volleyball 발리볼 boxing 복싱 karaoke 가라오케 sushi 스시 ramen 라멘 tempura 덴푸라
tsunami 쓰나미 tokyo 도쿄 osaka 오사카 beijing 베이징 shanghai 상하이 hongkong 홍콩 hong 홍 kong 콩 bangkok 방콕
hanoi 하노이 washington 워싱턴 california 캘리포니아 chicago 시카고 boston 보스턴 berlin 베를린 rome 로마 vienna 빈
"""
_FUNCTION = """
a 에이 the 더 and 앤드 of 오브 to 투 in 인 on 온 at 앳 by 바이 for 포 from 프롬 with 위드 is 이즈 was 워즈 are 아
were 워 be 비 been 빈 has 해즈 have 해브 his 히즈 her 허 their 데어 as 애즈 does 더즈 these 디즈 those 도즈
this 디스 that 댓 what 왓 when 웬 where 웨어 why 와이 which 위치 while 와일 wheel 휠 or 오어 not 낫 but 벗 you 유
your 유어 we 위 i 아이 my 마이 me 미 he 히 she 시 they 데이 no 노 yes 예스 so 소 do 두 go 고 let's 레츠 it's 이츠
i'm 아임 don't 돈트 can't 캔트 can 캔 will 윌 if 이프 all 올 good 굿 best 베스트 new 뉴 hi 하이 oh 오 up 업 out 아웃
off 오프 vs 대 com 컴 mr 미스터 mrs 미시즈 ms 미즈 dr 닥터 jr 주니어 sr 시니어 ph.d 박사 am 에이엠 pm 피엠
st 스트리트 kr 케이알 co 코 inc 아이엔씨 ltd 리미티드 feat 피처링 ft 피처링
"""
WORDS = TECHNICAL | pairs(_ACRONYMS) | pairs(_BRANDS) | pairs(_LOANWORDS) | pairs(_FUNCTION)
WORDS |= {
    "A": "에이",
    "I": "아이",
    "IT": "아이티",
    "US": "유에스",
    "It": "잇",
    "it": "잇",
    "us": "어스",
    "who": "후",
    "Who": "후",
    "WHO": "더블유에이치오",
}
WORDS |= {
    "OR": "오알",
    "CO": "씨오",
    "ID": "아이디",
    "PIN": "핀",
    "pin": "핀",
    "start": "스타트",
    "salt": "솔트",
    "ram": "램",
}
