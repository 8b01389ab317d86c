"""English words of computing and science, and Greek letters' names, as Korean usage reads them.

Sources: 외래어 표기 용례, the projects' own Korean names, and the usage of Korean manuals and message catalogues. Only
what rules and CMUdict read otherwise stands here, or lack.
"""

_ACRONYMS_READ_AS_WORDS = """
ascii 아스키 ansi 안시 bios 바이오스 cad 캐드 captcha 캡차 cobol 코볼 crud 크러드 dos 도스 dram 디램 fifo 피포
fortran 포트란 gimp 김프 gnome 그놈 gnu 그누 hdmi 에이치디엠아이 json 제이슨 lisp 리스프 midi 미디 nand 낸드
nas 나스 nul 널 posix 포직스 qwerty 쿼티 raid 레이드 rest 레스트 risc 리스크 scram 스크램 scsi 스카시 sram 에스램
swift 스위프트 unix 유닉스 vram 브이램 wysiwyg 위지위그 yaml 야믈 xfce 엑스에프씨이 latex 레이텍 tex 텍
gif 지아이에프 mysql 마이에스큐엘 nosql 노에스큐엘 sqlite 에스큐엘라이트 postgresql 포스트그레스큐엘
postgres 포스트그레스 mongodb 몽고디비 redis 레디스 mariadb 마리아디비
"""
_NAMES = """
firefox 파이어폭스 chrome 크롬 chromium 크로뮴 debian 데비안 fedora 페도라 docker 도커 kubernetes 쿠버네티스
jenkins 젠킨스 apache 아파치 nginx 엔진엑스 vim 빔 emacs 이맥스 git 깃 gitlab 깃랩 bitbucket 비트버킷 kotlin 코틀린
rust 러스트 javascript 자바스크립트 typescript 타입스크립트 react 리액트 angular 앵귤러 vue 뷰 django 장고
flask 플라스크 spring 스프링 hadoop 하둡 spark 스파크 tensorflow 텐서플로 pytorch 파이토치 numpy 넘파이
pandas 판다스 jupyter 주피터 anaconda 아나콘다 perl 펄 ruby 루비 golang 고랭 bash 배시 libreoffice 리브레오피스
openoffice 오픈오피스 thunderbird 선더버드 inkscape 잉크스케이프 blender 블렌더 audacity 오데시티 qt 큐트
gtk 지티케이 kde 케이디이 wayland 웨일런드 kerberos 커버로스 notion 노션 figma 피그마 discord 디스코드
telegram 텔레그램 oracle 오라클 adobe 어도비 unicode 유니코드 gemini 제미나이 claude 클로드 copilot 코파일럿
midjourney 미드저니 roblox 로블록스 minecraft 마인크래프트 steam 스팀 twitch 트위치 pinterest 핀터레스트
"""
_COMPUTING = """
admin 어드민 algorithm 알고리즘 alias 에일리어스 alt 알트 append 어펜드 applet 애플릿 argument 아규먼트 array 어레이
backend 백엔드 backspace 백스페이스 baseline 베이스라인 batch 배치 benchmark 벤치마크 beta 베타 big 빅
binary 바이너리 bisect 바이섹트 bool 불 boolean 불리언 boot 부트 bootstrap 부트스트랩 browser 브라우저 buffer 버퍼
bug 버그 build 빌드 bus 버스 button 버튼 byte 바이트 cache 캐시 callback 콜백 caps 캡스 char 차 checkbox 체크박스
checkout 체크아웃 checkpoint 체크포인트 checksum 체크섬 class 클래스 click 클릭 client 클라이언트 clipboard 클립보드
cloud 클라우드 cluster 클러스터 codec 코덱 column 칼럼 columns 칼럼 commit 커밋 compile 컴파일 compiler 컴파일러
component 컴포넌트 config 컨피그 console 콘솔 container 컨테이너 core 코어 ctrl 컨트롤 cursor 커서 daemon 데몬
dashboard 대시보드 database 데이터베이스 dataset 데이터세트 datetime 데이트타임 debug 디버그 debugger 디버거
default 디폴트 del 딜리트 delete 딜리트 desktop 데스크톱 dev 데브 dialog 다이얼로그 dictionary 딕셔너리 diff 디프
disk 디스크 display 디스플레이 domain 도메인 dot 도트 download 다운로드 driver 드라이버 edit 에디트 editor 에디터
enable 이네이블 encoding 인코딩 engine 엔진 enter 엔터 enum 이넘 epoch 에포크 error 에러 esc 이에스씨
ethernet 이더넷 eval 이밸 exec 이그젝 exit 엑시트 export 엑스포트 extension 익스텐션 false 폴스 feature 피처
fetch 페치 field 필드 file 파일 files 파일 filter 필터 firewall 파이어월 firmware 펌웨어 flag 플래그 flash 플래시
float 플로트 folder 폴더 font 폰트 format 포맷 frame 프레임 framework 프레임워크 frontend 프런트엔드 function 펑션
gateway 게이트웨이 gigabyte 기가바이트 glob 글로브 hacker 해커 handler 핸들러 hash 해시 header 헤더 heap 힙
host 호스트 hostname 호스트네임 hot 핫 hub 허브 hypertext 하이퍼텍스트 icon 아이콘 import 임포트 include 인클루드
index 인덱스 init 이닛 input 인풋 insert 인서트 install 인스톨 instance 인스턴스 int 인트 integer 인티저
interface 인터페이스 internal 인터널 iterator 이터레이터 job 잡 jobs 잡 join 조인 kernel 커널 key 키 keyboard 키보드
keyword 키워드 latency 레이턴시 layer 레이어 layout 레이아웃 length 렝스 library 라이브러리 limit 리밋 link 링크
list 리스트 local 로컬 locale 로캘 lock 록 log 로그 loop 루프 mac 맥 macro 매크로 malware 멀웨어 markdown 마크다운
megabyte 메가바이트 menu 메뉴 merge 머지 meta 메타 metadata 메타데이터 method 메서드 middleware 미들웨어
migration 마이그레이션 module 모듈 monitor 모니터 mount 마운트 mouse 마우스 multi 멀티 multimedia 멀티미디어
newline 뉴라인 node 노드 null 널 object 오브젝트 offset 오프셋 option 옵션 options 옵션 output 아웃풋
override 오버라이드 package 패키지 packet 패킷 page 페이지 panel 패널 parameter 파라미터 parser 파서 parse 파스
parsing 파싱 partition 파티션 password 패스워드 patch 패치 path 패스 pipeline 파이프라인 pixel 픽셀 player 플레이어
plugin 플러그인 plugins 플러그인 pointer 포인터 popup 팝업 port 포트 portal 포털 postscript 포스트스크립트
process 프로세스 processor 프로세서 prompt 프롬프트 protocol 프로토콜 proxy 프록시 pull 풀 push 푸시 query 쿼리
queue 큐 quit 큇 range 레인지 raw 로 readline 리드라인 readonly 리드온리 readme 리드미 rebase 리베이스
redirect 리다이렉트 refresh 리프레시 release 릴리스 render 렌더 rendering 렌더링 repository 리포지터리 reset 리셋
resource 리소스 response 리스폰스 request 리퀘스트 root 루트 router 라우터 runtime 런타임 sample 샘플
sampling 샘플링 sandbox 샌드박스 schema 스키마 scope 스코프 script 스크립트 scroll 스크롤 sdk 에스디케이
select 셀렉트 server 서버 session 세션 shell 셸 shift 시프트 shutdown 셧다운 site 사이트 sleep 슬립 socket 소켓
software 소프트웨어 hardware 하드웨어 sort 소트 source 소스 spam 스팸 stack 스택 stash 스태시 status 스테이터스
stderr 에스티디에러 stdin 에스티디인 stdout 에스티디아웃 storage 스토리지 string 스트링 strip 스트립
submodule 서브모듈 subquery 서브쿼리 switch 스위치 sync 싱크 syntax 신택스 tab 탭 table 테이블 tag 태그 tar 타르
task 태스크 template 템플릿 terminal 터미널 text 텍스트 theme 테마 thread 스레드 timeout 타임아웃 timer 타이머
toggle 토글 token 토큰 tool 툴 toolbar 툴바 tools 툴 touchpad 터치패드 traffic 트래픽 trigger 트리거
troubleshooting 트러블슈팅 true 트루 tutorial 튜토리얼 type 타입 undo 언두 redo 리두 upstream 업스트림 user 유저
username 유저네임 utility 유틸리티 vacuum 배큠 value 밸류 variable 베리어블 vector 벡터 vendor 벤더 verbose 버보스
version 버전 view 뷰 viewer 뷰어 webpage 웹페이지 widget 위젯 wiki 위키 wizard 위저드 worker 워커 workflow 워크플로
workspace 워크스페이스 worktree 워크트리 writer 라이터 zip 집 zone 존 zoom 줌 foo 푸
"""
_SCIENCE = """
alpha 알파 gamma 감마 delta 델타 epsilon 엡실론 zeta 제타 eta 에타 theta 세타 iota 요타 kappa 카파 lambda 람다 mu 뮤
nu 뉴 omicron 오미크론 pi 파이 rho 로 sigma 시그마 tau 타우 upsilon 입실론 phi 피 chi 카이 psi 프사이 omega 오메가
sin 사인 cos 코사인 tan 탄젠트 cot 코탄젠트 csc 코시컨트 arcsin 아크사인 arccos 아크코사인 arctan 아크탄젠트
sinh 하이퍼볼릭사인 cosh 하이퍼볼릭코사인 tanh 하이퍼볼릭탄젠트 lim 리미트 sqrt 루트 ph 피에이치 dna 디엔에이
rna 알엔에이 mrna 엠알엔에이 hba1c 에이치비에이원씨 ct 씨티 mri 엠알아이 icu 아이씨유 enzyme 엔자임 plasma 플라스마
fe 에프이 cu 씨유 ca 씨에이 au 에이유 ag 에이지 ni 엔아이
laser 레이저 quark 쿼크 neutrino 뉴트리노 boson 보손 tensor 텐서 matrix 매트릭스 genome 게놈
"""
_MONEY_AND_LIFE = """
dollars 달러 euros 유로 pound 파운드 pounds 파운드 yen 엔 yuan 위안 rupee 루피 peso 페소 franc 프랑 cent 센트
cents 센트 bitcoins 비트코인 etc 엣세트라 netizen 네티즌 bomb 밤 sale 세일 coupon 쿠폰 delivery 딜리버리
membership 멤버십 point 포인트 points 포인트 reels 릴스 shorts 쇼츠 story 스토리 youtubers 유튜버 cover 커버
feedback 피드백 workshop 워크숍 seminar 세미나 deadline 데드라인 schedule 스케줄 meeting 미팅 manager 매니저
leader 리더 team 팀 member 멤버 season 시즌 episode 에피소드 trailer 트레일러
"""


def pairs(text: str) -> dict[str, str]:
    """Pairs of a word and its reading; an underscore stands for a space."""
    items = text.split()
    return {word: reading.replace("_", " ") for word, reading in zip(items[::2], items[1::2], strict=True)}


TECHNICAL = pairs(_ACRONYMS_READ_AS_WORDS + _NAMES + _COMPUTING + _SCIENCE + _MONEY_AND_LIFE)
LABORATORY = pairs(  # units beside figures
    "mmol 밀리몰 μmol 마이크로몰 nmol 나노몰 mEq 밀리이큐 pg 피코그램 μL 마이크로리터 μl 마이크로리터 bpm 비피엠 "
    "U/L 유닛_퍼_리터 IU/L 아이유_퍼_리터 IU/mL 아이유_퍼_밀리리터"
)
